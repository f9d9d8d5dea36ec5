"""`ringfence envoy-ai`: the second data plane, as files for whoever runs the engine."""
