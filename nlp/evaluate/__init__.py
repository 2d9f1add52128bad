"""How good a model is, said so that another model can be compared with it."""

from groundswell.nlp.evaluate.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
