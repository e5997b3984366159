"""CIMIS weather and reference evapotranspiration on your own disk: fetch, store, query."""
