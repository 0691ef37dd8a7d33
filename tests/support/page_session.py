"""A session of the pages that speaks Streamlit's protocol as a browser does, without a browser."""

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection


async def finished(socket: ClientConnection) -> list[ForwardMsg]:
    """Return what comes until the script has run."""
    messages = []
    while True:
        message = ForwardMsg()
        message.ParseFromString(await socket.recv())
        messages.append(message)
        if message.WhichOneof("type") == "script_finished":
            return messages


async def open_page(socket: ClientConnection, name: str) -> list[ForwardMsg]:
    """Open a page; returns what was sent until it was drawn."""
    asked = BackMsg()
    asked.rerun_script.page_name = name
    await socket.send(asked.SerializeToString())
    return await finished(socket)
