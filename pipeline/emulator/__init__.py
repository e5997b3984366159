"""An embedded CIMIS server for demonstrations and tests."""
