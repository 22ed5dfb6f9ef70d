"""Publishing a candidate: the frozen plan, the writing in its order, and what other apps attach. Knows no gate."""
