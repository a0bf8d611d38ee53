// *FORMAT-OFF*
// All other names that this port uses are found in its sources.
Q(/lib)
