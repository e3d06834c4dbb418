"""Where data sets come from: releases, archives, replays and the generated sample."""
