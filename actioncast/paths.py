"""Folders and files of a checkout.

Standard library only: delivery and incidents run before anything is installed.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_CONFIG = ROOT / "config.toml"
RECORDING = ROOT / "data" / "bitcoin_transactions_2022.json.gz"  # a body of the charts API
MODEL_FOLDER = "model"  # beside config.toml; a folder for each series, which git and the image carry

# The files of a champion, in the folder of its series.
CARD = "card.json"  # what people read
NUMBERS = "forecaster.npz"  # what it forecasts with
DRAWING = "explanation.svg"  # why it serves
DEMO = ROOT / "demo"  # what rehearse.py leaves, by default
