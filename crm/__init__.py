"""The domain: each noun has models, queries and actions; every action takes the open transaction first."""
