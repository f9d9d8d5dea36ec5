"""What was used of models: from lines of access logs to numbers by hour, namespace, workload and route."""
