"""Where things lie in the checkout that the command runs from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "layers" / "config" / "flagcast.yaml"
SAMPLES = ROOT / "events" / "flipt"
TEMPLATE = ROOT / "template.yaml"
LOCAL_STACK = ROOT / ".local-stack"
