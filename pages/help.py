import streamlit as st

st.title("help")
