"""What else a claim can have otherwise than its evidence: bands, rhythms, order, places on images, figures that follow from others."""
