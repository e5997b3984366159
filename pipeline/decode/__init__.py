"""The streaming decoder from the API's JSON to Arrow RecordBatches."""
