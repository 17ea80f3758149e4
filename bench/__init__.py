"""The table of figures: ``python -m bench [NAME ...]``. Ratios in one run, medians of several."""
