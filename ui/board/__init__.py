"""The Streamlit board: its frame, queries and charts."""
