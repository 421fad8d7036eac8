"""A host on the Python SDK. Reads arrays of texts from stdin, a line each, and echoes their texts in parallel."""

import asyncio
import json
import os
import sys
import urllib.parse
from contextlib import AsyncExitStack

import httpx2
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

RESOURCE = sys.argv[1]


class Memory:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Host:
    def __init__(self):
        self.answers = asyncio.Queue()
        self.open = None

    async def listen(self):
        server = await asyncio.start_server(self.answered, "127.0.0.1", 0)
        redirect = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
        metadata = OAuthClientMetadata(client_name="Interop host", redirect_uris=[redirect])
        self.provider = OAuthClientProvider(
            RESOURCE, metadata, Memory(), self.open_browser, self.wait_for_answer
        )

    async def answered(self, reader, writer):
        path = (await reader.readline()).decode().split(" ")[1]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nDone.")
        await writer.drain()
        writer.close()
        await self.answers.put(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query)))

    async def open_browser(self, url):
        async def browse():
            async with httpx2.AsyncClient(timeout=60) as http:
                await http.get(os.environ["BROWSER_CONTROL"], params={"url": url})

        self.browsing = asyncio.create_task(browse())

    async def wait_for_answer(self):
        answer = await self.answers.get()
        return AuthorizationCodeResult(
            code=answer.get("code", ""), state=answer.get("state"), iss=answer.get("iss")
        )

    async def echo(self, texts):
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(create_mcp_http_client(auth=self.provider))
            streams = await stack.enter_async_context(streamable_http_client(RESOURCE, http_client=http))
            session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
            await session.initialize()
            calls = (session.call_tool("echo", {"message": text}) for text in texts)
            return [result.content[0].text for result in await asyncio.gather(*calls)]


async def main():
    host = Host()
    await host.listen()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = {"texts": await host.echo(json.loads(line))}
        except Exception as error:  # The driver reports it.
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
