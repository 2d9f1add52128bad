"""From a mention to what it means: the stage, `annotate`, rules, agreement."""
