"""The second data plane: the same gateway as resources of Envoy Gateway and Envoy AI Gateway, engines of others.

Law: what this engine can't promise is refused with a reason, never rendered weaker; what it does otherwise is told in
one table, `differences`.

Sources: the API of Envoy AI Gateway, https://aigateway.envoyproxy.io/docs/api, version v1beta1, and of Envoy Gateway,
https://gateway.envoyproxy.io/docs/api/extension_types.
"""
