"""What does the person want? Language, intent, entities, yes or no, ratings, urgency: pure, and the same offline."""

from intents.entities import Entity
from intents.reading import Intents, read
from intents.understanding import Understanding, understand

__all__ = ["Entity", "Intents", "Understanding", "read", "understand"]
