# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# One of each fault that the browser tests look for, to see that they are found.

# %%
import cv2
import ipywidgets
import numpy as np
from IPython.display import HTML, Image, Javascript, display

display(HTML('<div style="width:3000px">too wide</div>'))
display(HTML('<div style="overflow-x:auto;width:20em"><div style="width:30em">to be scrolled sideways</div></div>'))

# %%
display(HTML('<b style="color:#444">dark words</b>'))
display(HTML('<b style="background:#eee;color:#ccc">white words</b>'))

# %%
display(Javascript('console.error("something broke")'))

# %%
display(HTML('<img src="http://stranger.invalid/picture.png" alt="a picture from elsewhere">'))

# %%
grey = cv2.imencode(".png", np.full((40, 400, 3), 128, np.uint8))[1].tobytes()
noise = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (40, 400, 4), np.uint8))[1].tobytes()
display(Image(grey))  # empty
display(Image(noise))  # transparent
square = ipywidgets.Layout(width="400px", height="400px")
display(ipywidgets.Image(value=noise, layout=square))  # stretched

# %%
dead = ipywidgets.IntSlider(description="dead")
long = ipywidgets.Checkbox(description="a name that is longer than its box", layout=ipywidgets.Layout(width="9em"))
display(long, ipywidgets.VBox([dead, ipywidgets.Image(value=grey)]))

# %%
display(HTML('<button tabindex="-1">no key leads here</button><button>a key leads here</button>'))

# %%
display(HTML('<figure><video controls src="data:video/mp4;base64,AAAA"></video><figcaption>no.mp4: 2 x 2</figcaption>'))

# %%
raise RuntimeError("this cell fails")
