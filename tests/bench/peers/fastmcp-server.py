"""A FastMCP server with one tool, whose access tokens it verifies locally. PORT, ISSUER, AUDIENCE; key.pem."""
import os
import pathlib

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier

verifier = JWTVerifier(
    public_key=pathlib.Path("key.pem").read_text(),
    issuer=os.environ["ISSUER"],
    audience=os.environ["AUDIENCE"],
    algorithm="ES256",
)
server = FastMCP("fastmcp", auth=verifier)


@server.tool
async def echo(message: str) -> str:
    return message


app = server.http_app(path="/mcp", stateless_http=True, json_response=True)
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), loop="uvloop", http="httptools",
            log_level="warning", access_log=False)
