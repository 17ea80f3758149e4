"""The nouns of builds and the rules about them; nothing here touches the world."""
