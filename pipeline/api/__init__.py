"""The CIMIS Web API: endpoints, client, errors and retries."""
