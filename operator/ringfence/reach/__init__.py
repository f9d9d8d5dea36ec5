"""Who can reach whom, computed from NetworkPolicies as the API defines them, without a packet.

Law: an answer names the policies that it rests on, and what no policy decides is said to be unknown.
"""
