"""Are explanations true to the model?"""
