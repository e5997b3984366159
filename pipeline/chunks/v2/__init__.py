"""The V2 chunk format."""
