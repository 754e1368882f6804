"""Virtual patients: diseases as a generative model of findings, laboratory values, lung function, symptoms and prescriptions."""
