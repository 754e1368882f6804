"""How likely a remark is right: signs of the parse, a fitted logistic model, the limit below which it is only worth a look."""
