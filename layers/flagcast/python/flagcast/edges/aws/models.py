"""botocore's descriptions of the services, read in half the time that its own loader takes for a first client."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader

SERVICES = ["cloudformation", "dynamodb", "s3", "secretsmanager", "sqs", "ssm"]


class _Files(JSONFileLoader):
    """Reads the files by msgspec; their members keep their order in a dict as they do in botocore's OrderedDict."""

    def load_file(self, file_path: str) -> Any:
        """Return what a file holds, None where there is none; `file_path` lacks the suffix."""
        for suffix, opened in ((".json", open), (".json.gz", gzip.open)):
            if Path(file_path + suffix).is_file():
                with opened(file_path + suffix, "rb") as file:
                    return msgspec.json.decode(file.read())
        return None


class Models(Loader):
    """Loads what a client is made of."""

    FILE_LOADER_CLASS = _Files

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the services that are used: to list all there are, hundreds of folders are searched, twice."""
        return SERVICES
