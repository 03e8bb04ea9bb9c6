"""The project in Python: a grid as an object, its results as a data frame, a cell and a classifier as models."""
