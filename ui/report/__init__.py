"""Facts and sentences for board, mail and terminal; no Streamlit here."""
