"""Virtual patients with known truth: anatomy, findings and studies generated from a seed. Never real people."""
