//! Predicted against received, per instrument, to the minor unit.
