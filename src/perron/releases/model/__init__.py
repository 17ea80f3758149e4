"""Releases and the rules about them; nothing here touches the world."""
