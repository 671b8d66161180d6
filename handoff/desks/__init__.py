"""Desks where agents work already: a Slack channel or a Telegram group in which each conversation is a thread.

Two streams, neither of which ever meets the customers' own: what people write there is stored (``words``), understood
(``reading``) and done as a command like any other (``executing``); what happens in a conversation is read from the
database after a mark (``threads``, ``news``), shown (``rendering``) and posted (``posting``, ``sending``). ``desk``
runs both, in one process at a time.
"""

from __future__ import annotations
