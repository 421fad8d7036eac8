"""A host on FastMCP's client. Reads arrays of texts from stdin, a line each, and echoes their texts in parallel."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth


async def main():
    oauth = OAuth()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            async with Client(sys.argv[1], auth=oauth) as client:
                calls = (client.call_tool("echo", {"message": text}) for text in json.loads(line))
                results = await asyncio.gather(*calls)
            answer = {"texts": [result.content[0].text for result in results]}
        except Exception as error:  # The driver reports it.
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
