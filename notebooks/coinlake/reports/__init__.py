"""The reports: from gold frames to one page that opens offline.

formats    numbers, money, dates and words, as readers see them
style      colours of both themes, and the look that all charts share
charts     lines, bars, candles and labels: figures as plain dictionaries in plotly's form
tables     HTML tables, heat maps and sparklines
frames     gold tables as pandas frames: the only module here that asks Spark
page       sections, cards and banner, and the page around them
price_averages, market_trends, pipeline_health   one module per report: `read` the frames, `build` the report
"""
