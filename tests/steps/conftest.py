from tests.support.colour_bundle import colour_bundle, colour_photo

__all__ = ["colour_bundle", "colour_photo"]
