"""From candidates to alerts: policy, severity, explanation, feedback."""
