"""`ringfence usage`: how much was used of models, by whom, and whether the record says the same."""
