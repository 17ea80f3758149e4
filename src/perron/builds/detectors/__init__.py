"""The kinds of projects we recognise ourselves: one file and one entry point each."""
