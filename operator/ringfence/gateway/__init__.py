"""What a tenant's gateway is: configuration of Envoy, rendered from what was approved."""
