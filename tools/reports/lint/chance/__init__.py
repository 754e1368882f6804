"""How likely a remark is right: signs of the parse, a fitted logistic model over them, and the limit below which it is only worth a look."""
