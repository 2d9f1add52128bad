"""`groundswell watch`: every stage at its own pace, for months, by itself."""
