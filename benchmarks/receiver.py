"""A destination that answers 200 after so many milliseconds."""

import asyncio
import sys

from tests.support.http_server import Answer, Request, run

from benchmarks.measuring import take_the_others


def main() -> None:
    take_the_others()
    seconds = int(sys.argv[1]) / 1000

    async def answer(_: Request) -> Answer:
        if seconds:
            await asyncio.sleep(seconds)
        return Answer(b'{"ok":true}')

    run(answer)


if __name__ == "__main__":
    main()
