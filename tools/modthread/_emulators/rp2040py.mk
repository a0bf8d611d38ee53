# Compiles the C files of rp2040py for PYTHON: as they come, for any Python, the emulator is three times slower.
# And the strict processor, which is made on them.

NATIVE := $(shell $(PYTHON) -c 'import rp2040py.native as native; print(*native.__path__)')
INCLUDE := $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')
SUFFIX := $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
STRICT := $(dir $(lastword $(MAKEFILE_LIST)))strict/core
COMPILE = $(CC) -O2 -fPIC -shared -DNDEBUG -w -I$(INCLUDE)

all: $(patsubst %.c,%$(SUFFIX),$(wildcard $(NATIVE)/*.c)) $(STRICT)$(SUFFIX)

%$(SUFFIX): %.c
	$(COMPILE) $< -o $@.part
	mv $@.part $@

$(STRICT)$(SUFFIX): $(STRICT).pyx
	$(PYTHON) -m cython -3 $< --output-file $@.c
	$(COMPILE) $@.c -o $@.part
	rm $@.c
	mv $@.part $@
