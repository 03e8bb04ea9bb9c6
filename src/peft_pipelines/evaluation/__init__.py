"""From predictions to scores, and what a score can be trusted for."""
