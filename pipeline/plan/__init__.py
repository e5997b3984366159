"""Windows of days under the service's record caps."""
