"""Run vLLM in its own environment: which flags a model family needs, installing it, starting it and waiting for its health."""
