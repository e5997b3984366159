"""The older program's V1 chunk format."""
