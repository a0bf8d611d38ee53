# Compiles the C files of rp2040py for PYTHON: as they come, for any Python, the emulator is three times slower.

NATIVE := $(shell $(PYTHON) -c 'import rp2040py.native as native; print(*native.__path__)')
INCLUDE := $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')
SUFFIX := $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')

all: $(patsubst %.c,%$(SUFFIX),$(wildcard $(NATIVE)/*.c))

%$(SUFFIX): %.c
	$(CC) -O2 -fPIC -shared -DNDEBUG -w -I$(INCLUDE) $< -o $@.part
	mv $@.part $@
