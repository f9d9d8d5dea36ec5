"""Stand-ins for our ports, held to the same contract suites as the real adapters."""
