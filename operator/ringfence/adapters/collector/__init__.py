"""The sidecar that counts: it reads the gateway's access log, keeps sums by hour, and answers who asks for them."""
